import { AuditSubscriber } from '@indelible/typeorm';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import Database from 'libsql';
import { ArchiveJob } from './archive.job.js';
import { Article } from './article.entity.js';
import { ArticlesController } from './articles.controller.js';
import { ArticlesService } from './articles.service.js';
import { CurrentUser } from './current-user.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      useFactory: () => ({
        type: 'better-sqlite3',
        driver: Database,
        database: process.env.DATABASE_FILE ?? './newsroom.db',
        entities: [Article],
        subscribers: [AuditSubscriber],
        synchronize: true,
      }),
    }),
    TypeOrmModule.forFeature([Article]),
  ],
  controllers: [ArticlesController],
  providers: [ArticlesService, CurrentUser, ArchiveJob],
})
export class AppModule {}
