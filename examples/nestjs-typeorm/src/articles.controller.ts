import {
  Body,
  Controller,
  Get,
  HttpCode,
  Param,
  ParseIntPipe,
  Post,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import type { Article } from './article.entity.js';
import { ArticlesService } from './articles.service.js';
import { AuditAction, AuditActionInterceptor } from './audit-action.interceptor.js';
import { Role, TokenGuard } from './token.guard.js';

@Controller('articles')
@UseGuards(TokenGuard)
@UseInterceptors(AuditActionInterceptor)
export class ArticlesController {
  constructor(private readonly articles: ArticlesService) {}

  @Post()
  write(@Body() { title }: { title: string }): Promise<Article> {
    return this.articles.write(title);
  }

  @Get()
  find(): Promise<Article[]> {
    return this.articles.find();
  }

  @Post(':id/publication')
  @HttpCode(204)
  @Role('editor')
  @AuditAction({ action: 'article.published', resource: 'Article' })
  publish(@Param('id', ParseIntPipe) id: number): Promise<void> {
    return this.articles.publish([id]);
  }

  @Post('issue')
  @HttpCode(204)
  @Role('editor')
  publishAll(@Body() { ids }: { ids: number[] }): Promise<void> {
    return this.articles.publish(ids);
  }
}
