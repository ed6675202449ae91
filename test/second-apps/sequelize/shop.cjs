// A shop with Sequelize. It knows nothing of auditing.
const { DataTypes, Sequelize, Transaction } = require('sequelize');

function openShop(url) {
  const sequelize = new Sequelize(url, { logging: false, pool: { max: 3 } });
  const Product = sequelize.define(
    'Product',
    {
      code: { type: DataTypes.STRING(20), primaryKey: true },
      label: DataTypes.STRING,
      stock: { type: DataTypes.INTEGER, field: 'in_stock', defaultValue: 0 },
    },
    { tableName: 'product', timestamps: false },
  );
  const Order = sequelize.define(
    'Order',
    { customer: DataTypes.STRING, state: { type: DataTypes.STRING(20), defaultValue: 'open' } },
    { tableName: 'shop_order', timestamps: false },
  );
  const Line = sequelize.define(
    'Line',
    { amount: DataTypes.INTEGER },
    { tableName: 'line', timestamps: false },
  );
  Order.hasMany(Line, {
    as: 'lines',
    foreignKey: { name: 'orderId', allowNull: false },
    onDelete: 'CASCADE',
  });
  Line.belongsTo(Product, { as: 'product', foreignKey: { name: 'productCode', allowNull: false } });
  return { sequelize, Product, Order, Line };
}

async function buy({ sequelize, Product, Order }, customer, wanted) {
  return sequelize.transaction(
    { isolationLevel: Transaction.ISOLATION_LEVELS.READ_COMMITTED },
    async (transaction) => {
      const lines = Object.entries(wanted).map(([productCode, amount]) => ({ productCode, amount }));
      for (const { productCode, amount } of lines) {
        const product = await Product.findByPk(productCode, { transaction, lock: true, rejectOnEmpty: true });
        if (product.stock < amount) throw new Error(`too few of ${productCode}`);
        await product.decrement('stock', { by: amount, transaction });
      }
      return Order.create({ customer, lines }, { include: ['lines'], transaction });
    },
  );
}

module.exports = { openShop, buy };
